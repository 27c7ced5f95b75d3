/*
 * How the bytes of a load get into memory that is nobody else's: into a slot,
 * or into the memory that a file is staged in.
 */
#include "util/host/clock.h"
#include "util/io.h"
#include "verify/engine/engine_internal.h"

#include <string.h>

/* A load into memory of the caller's has no part in the budget of the cache. */
static bool is_direct(const struct mih_verify_load *load)
{
	return load->fill && load->fill->to;
}

static size_t room_of(const struct mih_verify_load *load)
{
	return mih_verify_slot_room(mih_verify_slot_class(load->len));
}

void mih_verify_fetch_begin(struct mih_verify_load *load)
{
	if (!is_direct(load))
		atomic_fetch_add(&load->engine->cache_bytes, room_of(load));
}

void mih_verify_fetch_end(struct mih_verify_load *load)
{
	mih_gpu_staging_free(load->engine->dev, load->copy, load->len);
	if (load->slot)
		mih_verify_slot_put(load->slot);
	else if (!is_direct(load))
		atomic_fetch_sub(&load->engine->cache_bytes, room_of(load));
}

/* Where the bytes go. Return: is there room? */
static bool place(struct mih_verify_load *load)
{
	if (is_direct(load)) {
		load->data = load->fill->to + load->off;
		return true;
	}
	load->slot =
	    mih_verify_slot_new(load->engine, mih_verify_slot_class(load->len));
	if (!load->slot)
		return false;
	load->slot->off = load->off;
	load->data = load->slot->data;
	return true;
}

/* What cannot be read in one piece is read by groups, so that only those fail
 * that are really gone. */
static void read_by_groups(struct mih_verify_load *load)
{
	const struct mih_verify_file *file =
	    &load->engine->model->files[load->file];
	uint8_t *at = load->data;

	for (unsigned i = 0; i < load->ngroups; i++) {
		size_t len = mih_verify_group_len(file, load->group + i);
		uint64_t off = (load->group + i) * MIH_HASH_GROUP;
		mih_err err =
		    mih_io_pread_full(load->backing->source.fd, at, len, off);

		at += len;
		if (err) {
			load->bad |= (uint16_t)(1u << i);
			load->err = err;
		} else {
			mih_verify_count(load->engine, MIH_VERIFY_DISK_BYTES,
					 len);
		}
	}
}

/* Does whoever gets these bytes keep them? If not, the page cache shall. */
static bool is_kept(const struct mih_verify_load *load)
{
	return load->fill ? is_direct(load) : !load->engine->keep_read;
}

static void read_all(struct mih_verify_load *load, enum mih_pages where)
{
	const struct mih_verify_piece piece = { load->data, load->len,
						load->off };
	uint64_t begun_ns = mih_clock_ns();

	if (mih_verify_source_read(&load->backing->source, &piece, where,
				   is_kept(load)))
		read_by_groups(load);
	else
		mih_verify_count(load->engine, MIH_VERIFY_DISK_BYTES,
				 load->len);
	mih_verify_took(load->engine, MIH_VERIFY_DISK_TIME, begun_ns);
}

/*
 * A device does not read a stage where it lies: for its driver to pin and unpin
 * the pages takes 40 us for each MiB, in which it takes no work. It gets a copy
 * of what was just written, made while that is in this core's cache. Without
 * one it makes one itself.
 */
static void copy_for_device(struct mih_verify_load *load)
{
	load->copy = mih_gpu_staging_ready(load->engine->dev, load->len);
	if (load->copy)
		memcpy(load->copy, load->data, load->len);
}

/* While a disk is waited for, others hash. */
bool mih_verify_fetch(struct mih_verify_load *load)
{
	enum mih_pages where;

	if (!place(load))
		return false;
	where =
	    mih_pages_cached(load->backing->source.fd, load->off, load->len);
	if (where == MIH_PAGES_ALL) {
		read_all(load, where);
	} else {
		mih_pool_wait_begin();
		read_all(load, where);
		mih_pool_wait_end();
	}
	if (is_direct(load))
		copy_for_device(load);
	return true;
}
