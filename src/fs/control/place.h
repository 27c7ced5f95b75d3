/*
 * fs/control/place.h - where the control folder of a mount is
 *
 * Layer: src/fs.  Threads: no state.
 */
#ifndef MIH_FS_CONTROL_PLACE_H
#define MIH_FS_CONTROL_PLACE_H

#include <stdbool.h>
#include <stdint.h>

#define MIH_FS_CONTROL_NAME ".mihfs"

/* Inode numbers of the folder and its files; signed files have low ones, so
 * whoever looks can tell the folder from a signed one of its name. */
#define MIH_FS_CONTROL_INO ((uint64_t)1 << 62)

/** mih_fs_control_is() - is @ino of the folder or a file in it? */
static inline bool mih_fs_control_is(uint64_t ino)
{
	return ino >= MIH_FS_CONTROL_INO;
}

#endif
