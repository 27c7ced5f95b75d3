/*
 * mihfs umount: what umount -l or fusermount3 -uz does, where a container has
 * neither, and for nothing but a mihfs.
 */
#include "cli/commands.h"
#include "cli/options.h"
#include "fs/host/mountpoint.h"

int mih_cli_umount(int argc, char **argv)
{
	static const struct mih_cli_option none[] = { { .name = NULL } };
	static const struct mih_cli_syntax syntax = {
		.command = "umount",
		.synopsis = "MOUNTPOINT",
		.about = "Free MOUNTPOINT at once, whoever uses it and whether "
			 "its server answers or\nis gone. Its server ends.",
		.options = none,
		.min_operands = 1,
		.max_operands = 1,
	};
	char **operands;
	int end = mih_cli_options_parse(&syntax, argc, argv, &operands);
	mih_err err;

	if (end != MIH_CLI_GO_ON)
		return end;
	err = mih_fs_mountpoint_detach(operands[0]);
	return err ? mih_cli_fail(err) : MIH_CLI_DONE;
}
