#include "gpu/offload/pinned_internal.h"
#include "util/host/huge.h"

#include <sys/mman.h>
#include <unistd.h>

void mih_gpu_pinned_reserve(struct mih_gpu_pinned *pinned,
			    const struct mih_gpu_port_ops *ops, size_t len)
{
	*pinned = (struct mih_gpu_pinned){ .len = len };
	if (!ops->host_register)
		return;
	pinned->base = mih_huge_map(-1, len);
	pinned->is_ours = pinned->base != NULL;
}

static void advise(const struct mih_gpu_pinned *pinned, size_t i, size_t n,
		   int advice)
{
	size_t from = pinned->len / n * i, to = pinned->len / n * (i + 1);

	from -= from % (size_t)sysconf(_SC_PAGESIZE);
	if (pinned->is_ours)
		(void)madvise(pinned->base + from, to - from, advice);
}

/* Nothing is written: the block may be in use by now. */
void mih_gpu_pinned_touch(const struct mih_gpu_pinned *pinned, size_t i,
			  size_t n)
{
	advise(pinned, i, n, MADV_POPULATE_WRITE);
}

void mih_gpu_pinned_drop(const struct mih_gpu_pinned *pinned, size_t i,
			 size_t n)
{
	advise(pinned, i, n, MADV_DONTNEED);
}

void mih_gpu_pinned_open(struct mih_gpu_pinned *pinned,
			 const struct mih_gpu_port_ops *ops,
			 struct mih_gpu_port *port)
{
	if (pinned->is_ours)
		pinned->is_registered =
		    !ops->host_register(port, pinned->base, pinned->len);
	else
		pinned->base = ops->host_alloc(port, pinned->len);
}

void mih_gpu_pinned_close(struct mih_gpu_pinned *pinned,
			  const struct mih_gpu_port_ops *ops,
			  struct mih_gpu_port *port)
{
	if (!pinned->base)
		return;
	if (pinned->is_registered)
		ops->host_unregister(port, pinned->base);
	if (pinned->is_ours)
		munmap(pinned->base, pinned->len);
	else
		ops->host_free(port, pinned->base);
	pinned->base = NULL;
}
