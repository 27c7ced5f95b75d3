/*
 * cli/status/words.h - the status of a mount for people
 *
 * Layer: src/cli.  Threads: the main thread only.
 */
#ifndef MIH_CLI_STATUS_WORDS_H
#define MIH_CLI_STATUS_WORDS_H

#include <jansson.h>
#include <stdio.h>

/**
 * mih_cli_status_put() - print a text that anybody may have chosen
 *
 * Nothing of it may steer a terminal: control characters are shown as '?'.
 */
void mih_cli_status_put(const char *text);

/** mih_cli_status_words() - print a status of several lines on stdout. */
void mih_cli_status_words(const json_t *status);

/** mih_cli_status_headings() - of the lines that follow. */
void mih_cli_status_headings(void);

/**
 * mih_cli_status_line() - print what happened between two looks, in one line
 * @seconds: between the looks, more than 0
 */
void mih_cli_status_line(const json_t *before, const json_t *now,
			 double seconds);

#endif
