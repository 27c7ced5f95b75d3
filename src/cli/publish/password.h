/*
 * cli/publish/password.h - ask at the terminal, and leave it as it was
 *
 * Layer: src/cli.  Threads: one at a time; it borrows the process's signals.
 */
#ifndef MIH_CLI_PUBLISH_PASSWORD_H
#define MIH_CLI_PUBLISH_PASSWORD_H

#include <stdbool.h>
#include <stddef.h>

/**
 * mih_cli_password_ask() - read one hidden line from the controlling terminal
 * @key_path: what the password is for; shown in the prompt
 * @buf: set to the line without its end, NUL-terminated
 * @cap: bytes at @buf
 *
 * A signal that ends or stops the process does so with echo on; after a stop
 * the question is asked again.
 *
 * Return: true; false if there is no terminal or it was closed.
 */
bool mih_cli_password_ask(const char *key_path, char *buf, size_t cap);

#endif
