#include "gpu/device_internal.h"
#include "gpu/footprint.h"
#include "util/checked.h"

#include <stdlib.h>
#include <string.h>

/* In order of preference; the CPU is last and never absent. */
static const struct mih_gpu_ops *const kinds[] = {
#if HAVE_CUDA
	&mih_gpu_cuda_ops,
#endif
#if HAVE_OPENCL
	&mih_gpu_opencl_ops,
#endif
	&mih_gpu_cpu_ops,
};

static mih_err open_auto(struct mih_gpu_dev **dev_out)
{
	for (size_t i = 0; i < MIH_ARRAY_LEN(kinds); i++)
		if (kinds[i]->api == MIH_GPU_API && kinds[i]->automatic &&
		    kinds[i]->count() > 0 && kinds[i]->open(0, dev_out) == 0)
			return 0;
	return mih_err_fail(MIH_EBACKEND, "no device could be opened");
}

/* Split "kind[:N]"; the ordinal is 0 when it is left out. */
static mih_err parse_spec(const char *spec, size_t *kind_len,
			  size_t *ordinal_out)
{
	const char *colon = strchr(spec, ':');
	char *end;

	*ordinal_out = 0;
	*kind_len = colon ? (size_t)(colon - spec) : strlen(spec);
	if (!colon)
		return 0;
	errno = 0;
	*ordinal_out = strtoul(colon + 1, &end, 10);
	if (colon[1] < '0' || colon[1] > '9' || *end || errno)
		return mih_err_fail(MIH_EUSAGE, "%s: not a device number",
				    spec);
	return 0;
}

mih_err mih_gpu_open(const char *spec, struct mih_gpu_dev **dev_out)
{
	size_t kind_len, ordinal;
	mih_err err;

	if (!strcmp(spec, "auto"))
		return open_auto(dev_out);
	err = parse_spec(spec, &kind_len, &ordinal);
	if (err)
		return err;
	for (size_t i = 0; i < MIH_ARRAY_LEN(kinds); i++) {
		if (strlen(kinds[i]->kind) != kind_len ||
		    strncmp(kinds[i]->kind, spec, kind_len))
			continue;
		if (ordinal >= kinds[i]->count())
			return mih_err_fail(MIH_EBACKEND,
					    "%s: no such device here", spec);
		return kinds[i]->open(ordinal, dev_out);
	}
	return mih_err_fail(
	    MIH_EUSAGE, "%s: this build knows no such kind of device", spec);
}

bool mih_gpu_is_cpu(const char *spec)
{
	size_t i = 0;

	if (strcmp(spec, "auto"))
		return !strcmp(spec, "cpu") || !strncmp(spec, "cpu:", 4);
	while (kinds[i] != &mih_gpu_cpu_ops &&
	       !(kinds[i]->automatic && kinds[i]->count() > 0))
		i++;
	return kinds[i] == &mih_gpu_cpu_ops;
}

void mih_gpu_close(struct mih_gpu_dev *dev)
{
	if (dev)
		dev->ops->close(dev);
}

void mih_gpu_submit(struct mih_gpu_dev *dev, struct mih_gpu_batch *batch)
{
	dev->ops->submit(dev, batch);
}

void *mih_gpu_staging_alloc(struct mih_gpu_dev *dev, size_t len)
{
	void *buf;

	if (dev->ops->staging_alloc)
		return dev->ops->staging_alloc(dev, len);
	return posix_memalign(&buf, 4096, len) ? NULL : buf;
}

void mih_gpu_staging_free(struct mih_gpu_dev *dev, void *buf, size_t len)
{
	if (dev->ops->staging_alloc)
		dev->ops->staging_free(dev, buf, len);
	else
		free(buf);
}

const char *mih_gpu_describe(const struct mih_gpu_dev *dev)
{
	return dev->ops->describe(dev);
}
