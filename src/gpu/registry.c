#include "gpu/batch_internal.h"
#include "gpu/device_internal.h"
#include "gpu/footprint.h"
#include "gpu/offload/offload_internal.h"
#include "util/checked.h"
#include "util/cleanup.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MEMBERS_MAX 64

/* Which device a name means. */
struct choice {
	const struct mih_gpu_port_ops *port; /* NULL: the processor */
	char which[64];			     /* number or UUID */
	bool known;			     /* the driver was asked for it: */
	size_t ordinal;
};

/* Finding ----------------------------------------------------------------- */

static const struct mih_gpu_port_ops *port_of(const char *spec, size_t len)
{
	for (size_t i = 0; mih_gpu_ports[i]; i++)
		if (strlen(mih_gpu_ports[i]->kind) == len &&
		    !strncmp(mih_gpu_ports[i]->kind, spec, len))
			return mih_gpu_ports[i];
	return NULL;
}

static bool by_number(const char *which, size_t *ordinal_out)
{
	char *end;

	errno = 0;
	*ordinal_out = strtoul(which, &end, 10);
	return which[0] >= '0' && which[0] <= '9' && !*end && !errno;
}

static bool by_uuid(const struct mih_gpu_port_ops *port, const char *which,
		    size_t *ordinal_out)
{
	for (size_t i = 0; i < port->count(); i++) {
		struct mih_gpu_identity id;

		port->identify(i, &id);
		if (id.uuid[0] && !strcasecmp(id.uuid, which)) {
			*ordinal_out = i;
			return true;
		}
	}
	return false;
}

static mih_err parse(const char *spec, struct choice *choice_out)
{
	const char *colon = strchrnul(spec, ':');
	const char *which = *colon ? colon + 1 : "0";

	*choice_out = (struct choice){ 0 };
	if (!strcmp(spec, "cpu"))
		return 0;
	choice_out->port = port_of(spec, (size_t)(colon - spec));
	if (!choice_out->port)
		return mih_err_fail(
		    MIH_EUSAGE, "%s: this build knows no such kind of device",
		    spec);
	if (!*which || strlen(which) >= sizeof(choice_out->which))
		return mih_err_fail(MIH_EUSAGE,
				    "%s: not a device number or UUID", spec);
	snprintf(choice_out->which, sizeof(choice_out->which), "%s", which);
	return 0;
}

/* Ask the driver, which may have to start for that. */
static mih_err find(struct choice *choice)
{
	const struct mih_gpu_port_ops *port = choice->port;

	if (choice->known || !port)
		return 0;
	if (by_number(choice->which, &choice->ordinal)
		? choice->ordinal >= port->count()
		: !by_uuid(port, choice->which, &choice->ordinal))
		return mih_err_fail(MIH_EBACKEND, "%s:%s: no such device here",
				    port->kind, choice->which);
	choice->known = true;
	return 0;
}

/* Listing ----------------------------------------------------------------- */

size_t mih_gpu_list(struct mih_gpu_info *infos, size_t max)
{
	bool has_auto = false;
	size_t n = 0;

	for (size_t p = 0; mih_gpu_ports[p]; p++) {
		const struct mih_gpu_port_ops *port = mih_gpu_ports[p];

		for (size_t i = 0; i < port->count(); i++, n++) {
			struct mih_gpu_identity id;

			if (n >= max)
				continue;
			port->identify(i, &id);
			infos[n].automatic = id.is_gpu && !has_auto;
			has_auto |= id.is_gpu;
			infos[n].id = id;
			snprintf(infos[n].spec, sizeof(infos[n].spec), "%s:%zu",
				 port->kind, i);
		}
	}
	return n;
}

/* A glance that asks no driver, and so takes no time. */
static bool may_have_gpu(void)
{
	static const char *const nodes[] = { "/dev/nvidia[0-9]*",
					     "/dev/dri/renderD*", "/dev/kfd" };
	bool found = false;

	for (size_t i = 0; i < MIH_ARRAY_LEN(nodes) && !found; i++) {
		glob_t matches;

		found = !glob(nodes[i], 0, NULL, &matches);
		globfree(&matches);
	}
	return found;
}

bool mih_gpu_is_cpu(const char *spec)
{
	return !strcmp(spec, "cpu") ||
	       (!strcmp(spec, "auto") && !may_have_gpu());
}

/* Opening ----------------------------------------------------------------- */

/* The first there is: the kinds that come later may have the same card in
 * another way, and are not even asked, as each driver takes its time to start.
 * One GPU checks as fast as its bus brings bytes, and each costs memory that
 * the model may want: more than one only by name. */
static mih_err open_auto(uint64_t memory, struct mih_gpu_dev **dev_out)
{
	for (size_t p = 0; mih_gpu_ports[p]; p++) {
		const struct mih_gpu_port_ops *port = mih_gpu_ports[p];

		for (size_t i = 0; i < port->count(); i++) {
			struct mih_gpu_identity id;

			port->identify(i, &id);
			if (id.is_gpu)
				return mih_gpu_offload_new(port, i, memory,
							   dev_out);
		}
	}
	return mih_err_fail(MIH_EBACKEND, "no GPU is here");
}

struct choices {
	bool cpu, look; /* share with the processor; look for a GPU */
	uint64_t memory;
	size_t n;
	struct choice items[MEMBERS_MAX];
};

static bool is_same(const struct choice *a, const struct choice *b)
{
	if (a->port != b->port)
		return false;
	return a->known && b->known ? a->ordinal == b->ordinal
				    : !strcasecmp(a->which, b->which);
}

/* Two names may mean one device, as the driver says. */
static mih_err check_twice(const struct choices *choices, size_t n)
{
	const struct choice *last = &choices->items[n];

	for (size_t i = 0; i < n; i++)
		if (is_same(&choices->items[i], last))
			return mih_err_fail(MIH_EUSAGE,
					    "%s:%s: this device is named twice",
					    last->port->kind, last->which);
	return 0;
}

static mih_err add(struct choices *choices, const char *spec)
{
	struct choice *choice = &choices->items[choices->n];
	mih_err err;

	if (!strcmp(spec, "auto")) {
		choices->cpu = true;
		choices->look = may_have_gpu();
		return 0;
	}
	if (choices->n == MEMBERS_MAX)
		return mih_err_fail(MIH_EUSAGE, "%s: too many devices", spec);
	err = parse(spec, choice);
	if (!err && !choice->port)
		choices->cpu = true;
	if (err || !choice->port)
		return err;
	if (!choice->port->seems_there ||
	    !choice->port->seems_there(choice->which))
		err = find(choice);
	if (!err)
		err = check_twice(choices, choices->n);
	if (!err)
		choices->n++;
	return err;
}

static mih_err open_chosen(void *context, size_t i,
			   struct mih_gpu_dev **dev_out)
{
	struct choices *choices = context;
	struct choice *choice = &choices->items[i];
	mih_err err;

	if (choices->look)
		return open_auto(choices->memory, dev_out);
	err = find(choice);
	if (!err)
		err = check_twice(choices, i);
	return err ? err
		   : mih_gpu_offload_new(choice->port, choice->ordinal,
					 choices->memory, dev_out);
}

/* What is the only one of its kind, if that can be told without the driver. */
static void leave_out_others(const struct choices *choices)
{
	const struct choice *choice = &choices->items[0];
	size_t ordinal;

	for (size_t p = 0; choices->look && mih_gpu_ports[p]; p++)
		if (mih_gpu_ports[p]->only)
			mih_gpu_ports[p]->only(0);
	if (choices->n == 1 && choice->port->only &&
	    by_number(choice->which, &ordinal))
		choice->port->only(ordinal);
}

static mih_err open_set(struct choices *choices, bool logs,
			struct mih_gpu_dev **dev_out)
{
	const struct mih_gpu_set_params set = {
		.kind = choices->n == 1 ? choices->items[0].port->kind : "set",
		.share_cpu = choices->cpu,
		.n = choices->look ? 1 : choices->n,
		.named = !choices->look,
		.logs = logs && !choices->look,
		.open = open_chosen,
		.context = choices,
	};

	return mih_gpu_set_new(&set, dev_out);
}

mih_err mih_gpu_open(const struct mih_gpu_params *params,
		     struct mih_gpu_dev **dev_out)
{
	mih_autofree struct choices *choices = calloc(1, sizeof(*choices));
	mih_err err;

	if (!choices)
		return mih_err_fail_errno(-ENOMEM, "devices");
	choices->memory = params->memory ? params->memory : MIH_GPU_MEMORY;
	err = params->nspecs ? 0 : add(choices, "auto");
	for (size_t i = 0; i < params->nspecs && !err; i++)
		err = add(choices, params->specs[i]);
	if (!err && choices->look && choices->n)
		err = mih_err_fail(MIH_EUSAGE,
				   "auto: not together with a named device");
	if (err)
		return err;
	if (!choices->n && !choices->look) {
		*dev_out = mih_gpu_cpu();
		return 0;
	}
	if (params->alone)
		leave_out_others(choices);
	err = open_set(choices, !params->asks, dev_out);
	if (!err)
		MIH_STEAL(&choices);
	return err;
}

mih_err mih_gpu_device_open(const char *spec, uint64_t memory,
			    struct mih_gpu_dev **dev_out)
{
	struct choice choice;
	mih_err err = parse(spec, &choice);

	if (!err)
		err = find(&choice);
	if (err)
		return err;
	if (choice.port)
		return mih_gpu_offload_new(choice.port, choice.ordinal, memory,
					   dev_out);
	*dev_out = mih_gpu_cpu();
	return 0;
}

/* Using ------------------------------------------------------------------- */

void mih_gpu_close(struct mih_gpu_dev *dev)
{
	if (dev)
		dev->ops->close(dev);
}

void mih_gpu_submit(struct mih_gpu_dev *dev, struct mih_gpu_batch *batch)
{
	dev->ops->submit(dev, batch);
}

/* Without memory to tell, it is not trusted any longer. */
bool mih_gpu_confirm(struct mih_gpu_batch *batch, bool *wrong_out)
{
	size_t len = mih_gpu_batch_out_len(batch);
	mih_autofree uint8_t *before = NULL;

	*wrong_out = false;
	if (batch->by == mih_gpu_cpu())
		return false;
	before = malloc(len);
	if (before)
		memcpy(before, batch->digests, len);
	mih_gpu_batch_on_cpu(batch);
	*wrong_out = !before || memcmp(before, batch->digests, len);
	if (*wrong_out && batch->by->ops->fail)
		batch->by->ops->fail(batch->by, "it gave a wrong digest");
	batch->by = mih_gpu_cpu();
	return true;
}

/* Where a device has no more of it: the processor's, which lies in huge pages.
 */
void *mih_gpu_staging_alloc(struct mih_gpu_dev *dev, size_t len)
{
	struct mih_gpu_dev *cpu = mih_gpu_cpu();
	void *buf = NULL;

	if (dev->ops->staging_alloc)
		buf = dev->ops->staging_alloc(dev, len);
	if (!buf && dev != cpu)
		buf = cpu->ops->staging_alloc(cpu, len);
	if (buf)
		return buf;
	return posix_memalign(&buf, 4096, len) ? NULL : buf;
}

void *mih_gpu_staging_ready(struct mih_gpu_dev *dev, size_t len)
{
	return dev->ops->staging_ready ? dev->ops->staging_ready(dev, len)
				       : NULL;
}

void *mih_gpu_staging_renew(struct mih_gpu_dev *dev, void *buf, size_t len)
{
	void *better;

	if (!dev->ops->staging_alloc || dev->ops->staging_has(dev, buf, len))
		return buf;
	better = dev->ops->staging_alloc(dev, len);
	if (!better)
		return buf;
	mih_gpu_staging_free(dev, buf, len);
	return better;
}

void mih_gpu_staging_free(struct mih_gpu_dev *dev, void *buf, size_t len)
{
	struct mih_gpu_dev *cpu = mih_gpu_cpu();

	if (!buf)
		return;
	if (dev->ops->staging_alloc && dev->ops->staging_free(dev, buf, len))
		return;
	if (!cpu->ops->staging_free(cpu, buf, len))
		free(buf);
}

const char *mih_gpu_describe(struct mih_gpu_dev *dev)
{
	return dev->ops->describe(dev);
}
