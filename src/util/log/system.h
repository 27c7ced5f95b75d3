/*
 * util/log/system.h - the logs of the system: journal, syslog, audit
 *
 * Layer: src/util.  Threads: connect first; then any.
 */
#ifndef MIH_UTIL_LOG_SYSTEM_H
#define MIH_UTIL_LOG_SYSTEM_H

#include "util/log/record.h"

#include <stdbool.h>

/**
 * mih_system_connect() - to all three, as far as they are here; once
 *
 * Return: is audit on, and may we write to it?
 */
bool mih_system_connect(void);

/** mih_system_is_journal() - does stderr lead to the journal? */
bool mih_system_is_journal(void);

/** mih_system_journal() - false: it is not here, or did not take it. */
bool mih_system_journal(const struct mih_record *record);

/** mih_system_syslog() - @text as it is. */
void mih_system_syslog(int priority, const char *text);

/**
 * mih_system_audit() - a record of the kernel's audit
 *
 * Needs CAP_AUDIT_WRITE now, not only when it was connected.
 *
 * Return: false: audit is off, or we may not.
 */
bool mih_system_audit(const char *text);

#endif
