#include "cli/doctor/doctor.h"
#include "gpu/about.h"
#include "hash/rates.h"
#include "util/checked.h"
#include "util/cleanup.h"
#include "util/pool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEVICES_MAX 16
#define SAMPLE	    ((size_t)256 << 10) /* enough for a rough figure */

static void say_rate(struct mih_cli_doctor *d, enum mih_hash_alg alg,
		     const struct mih_hash_rates *rates)
{
	const char *name = mih_hash_info(alg)->name;
	enum mih_hash_path used = mih_hash_path_used(alg);

	for (size_t i = 0; i < rates->n; i++)
		if (!strcmp(rates->rows[i].what, name) &&
		    rates->rows[i].path == used)
			mih_cli_doctor_fact(d, name, "%s, %.1f GB/s on a core",
					    mih_hash_path_name(used),
					    rates->rows[i].gb_per_s);
}

static void look_at_cpu(struct mih_cli_doctor *d)
{
	mih_autofree struct mih_hash_rates *rates = calloc(1, sizeof(*rates));

	mih_cli_doctor_fact(d, "cores", "%zu", mih_pool_cores());
	if (!rates)
		return;
	rates->nbytes = SAMPLE;
	rates->repeat = 3;
	if (mih_hash_rates_measure(rates))
		return;
	say_rate(d, MIH_HASH_MTH4K_SHA256, rates);
	say_rate(d, MIH_HASH_BLAKE3, rates);
	if (mih_hash_path_used(MIH_HASH_MTH4K_SHA256) == MIH_HASH_PATH_PORTABLE)
		mih_cli_doctor_problem(
		    d, MIH_CLI_DOCTOR_HINT,
		    "this processor has none of SHA-NI, AVX2 and AVX-512, or "
		    "this build does not use them: checking costs several "
		    "times as much");
}

/* Opening a device and measuring it takes a second or two. */
static mih_err measure(const char *spec, struct mih_gpu_speed *speed)
{
	const struct mih_gpu_params params = { .specs = &spec, .nspecs = 1 };
	const struct mih_gpu_batch like = { .task = MIH_GPU_GROUPS,
					    .alg = MIH_HASH_MTH4K_SHA256 };
	struct mih_gpu_dev *dev = NULL;
	mih_err err = mih_gpu_open(&params, &dev);

	if (!err)
		err = mih_gpu_measure(dev, &like, 0, speed);
	mih_gpu_close(dev);
	return err;
}

/* From which size of batch on it is worth the way. */
static void describe_speed(const struct mih_gpu_speed *speed, char *out,
			   size_t cap)
{
	int len = snprintf(out, cap, ", %.1f GB/s after %.0f us, ",
			   speed->gb_per_s, speed->latency_us);

	if (len < 0 || (size_t)len >= cap)
		return;
	if (speed->border == UINT64_MAX)
		snprintf(out + len, cap - (size_t)len, "slower than a core");
	else
		snprintf(out + len, cap - (size_t)len,
			 "sooner than a core from %ju KiB on",
			 (uintmax_t)(speed->border >> 10));
}

/* What only shows the processor in another guise is not worth the time. */
static void say_device(struct mih_cli_doctor *d,
		       const struct mih_gpu_info *info)
{
	const struct mih_gpu_identity *id = &info->id;
	struct mih_gpu_speed speed;
	char rate[128] = "";
	mih_err err = id->is_gpu ? measure(info->spec, &speed) : 0;

	if (!id->is_gpu)
		snprintf(rate, sizeof(rate), ", a processor: not measured");
	else if (!err)
		describe_speed(&speed, rate, sizeof(rate));
	mih_cli_doctor_fact(
	    d, info->spec, "%s, %s, %.1f GiB%s%s%s%s%s%s", id->name, id->driver,
	    (double)id->memory / (1 << 30), id->pci[0] ? ", PCI " : "", id->pci,
	    id->uuid[0] ? ", UUID " : "", id->uuid, rate,
	    info->automatic ? ", taken by auto" : "");
	if (err)
		mih_cli_doctor_problem(
		    d, MIH_CLI_DOCTOR_HINT,
		    "%s (%s) is there but does not work, so the processor does "
		    "its work: see the log of a mount with --device=%s",
		    info->spec, id->name, info->spec);
}

void mih_cli_doctor_devices(struct mih_cli_doctor *d)
{
	struct mih_gpu_info infos[DEVICES_MAX];
	size_t n = mih_gpu_list(infos, DEVICES_MAX);

	look_at_cpu(d);
	for (size_t i = 0; i < MIH_MIN(n, (size_t)DEVICES_MAX); i++)
		say_device(d, &infos[i]);
	if (!n)
		mih_cli_doctor_fact(d, "others", "none");
}
