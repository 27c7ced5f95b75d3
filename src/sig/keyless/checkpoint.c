/*
 * A log's signed word on how large its tree is and which root it has.
 */
#include "sig/keyless/keyless.h"
#include "util/bytes.h"

#include <inttypes.h>
#include <string.h>

#define DASH "\xe2\x80\x94 " /* em dash and space begin a signature */

/** "— <name> <base64 of 4 bytes of hint and the signature>" */
struct line {
	const char *name;
	size_t name_len;
	const char *base64;
	size_t base64_len;
	size_t len; /* of all, with the newline */
};

static bool parse_line(const char *text, struct line *line)
{
	const char *end = strchr(text, '\n'), *space;

	if (!end || strncmp(text, DASH, strlen(DASH)))
		return false;
	line->name = text + strlen(DASH);
	space = memchr(line->name, ' ', (size_t)(end - line->name));
	if (!space || space == line->name)
		return false;
	line->name_len = (size_t)(space - line->name);
	line->base64 = space + 1;
	line->base64_len = (size_t)(end - line->base64);
	line->len = (size_t)(end - text) + 1;
	return line->base64_len > 0 &&
	       !memchr(line->base64, ' ', line->base64_len);
}

/* The next line of a note into @buf; NULL if it does not fit or end. */
static const char *take_line(const char *text, char *buf, size_t cap)
{
	size_t len = strcspn(text, "\n");

	if (!text[len] || len >= cap)
		return NULL;
	memcpy(buf, text, len);
	buf[len] = '\0';
	return text + len + 1;
}

static const char *parse_root(const char *text, uint8_t root[32])
{
	uint8_t bytes[48];
	size_t len;

	if (strlen(text) != mih_sig_base64_len(32) ||
	    mih_sig_base64_decode(text, strlen(text), bytes, &len) || len != 32)
		return "its third line is not a SHA-256 in base64";
	memcpy(root, bytes, 32);
	return NULL;
}

static const char *parse_head(const char *text, struct mih_sig_checkpoint *out)
{
	char line[256];
	const char *at = take_line(text, line, sizeof(line));

	if (!at || !*line)
		return "its first line is not an origin";
	out->origin_len = strlen(line);
	at = take_line(at, line, sizeof(line));
	if (!at || !mih_sig_proto_decimal(line, &out->size))
		return "its second line is not a size";
	at = take_line(at, line, sizeof(line));
	return at ? parse_root(line, out->root) : "it has no third line";
}

const char *mih_sig_checkpoint_parse(const char *text,
				     struct mih_sig_checkpoint *out)
{
	const char *blank = strstr(text, "\n\n"), *at;
	struct line line;
	const char *bad;

	if (!blank || strstr(blank + 1, "\n\n"))
		return "it has not exactly one empty line";
	*out = (struct mih_sig_checkpoint){ .text = text };
	out->signed_len = (size_t)(blank - text) + 1;
	out->signatures = blank + 2;
	bad = parse_head(text, out);
	if (bad)
		return bad;
	if (text + out->signed_len < strchr(text, '\n') + 1)
		return "its head is too short";
	for (at = out->signatures; *at; at += line.len)
		if (!parse_line(at, &line))
			return "it has a line that is no signature";
	return at == out->signatures ? "it has no signature" : NULL;
}

/* --- the signature ----------------------------------------------------- */

/* "rekor.example - 12345" is tree 12345 of rekor.example. */
static size_t host_len(const struct mih_sig_checkpoint *note)
{
	const char *dash =
	    memmem(note->text, note->origin_len, " - ", strlen(" - "));

	return dash ? (size_t)(dash - note->text) : note->origin_len;
}

static bool is_host(const struct mih_sig_log *log, const char *name, size_t len)
{
	return strlen(log->host) == len && !memcmp(log->host, name, len);
}

/* Witnesses sign too, and hints may collide: any good line is enough. */
static bool is_signed(const struct mih_sig_checkpoint *note,
		      const struct mih_sig_log *log, size_t *hinted_out)
{
	struct line line;

	*hinted_out = 0;
	for (const char *at = note->signatures; *at; at += line.len) {
		mih_autofree uint8_t *sig = NULL;
		size_t len;

		if (!parse_line(at, &line))
			return false;
		sig = malloc(line.base64_len / 4 * 3 + 1);
		if (!sig || mih_sig_base64_decode(line.base64, line.base64_len,
						  sig, &len))
			continue;
		if (len <= sizeof(log->hint) ||
		    memcmp(sig, log->hint, sizeof(log->hint)) ||
		    line.name_len != host_len(note) ||
		    memcmp(line.name, note->text, line.name_len))
			continue;
		(*hinted_out)++;
		if (mih_sig_log_verify(log, sig + sizeof(log->hint),
				       len - sizeof(log->hint), note->text,
				       note->signed_len))
			return true;
	}
	return false;
}

static mih_err not_signed(const char *file, const struct mih_sig_log *log,
			  size_t hinted)
{
	char hint[9];

	mih_bytes_to_hex(log->hint, sizeof(log->hint), hint);
	return mih_err_fail(
	    MIH_EUNTRUSTED, "%s: checkpoint: %s by log %s (key hint %s)", file,
	    hinted ? "the signature is not" : "no signature", log->host, hint);
}

mih_err mih_sig_checkpoint_check(const struct mih_sig_check *check,
				 const struct mih_sig_entry *entry,
				 const struct mih_sig_log *log)
{
	const char *file = check->bundle->file, *bad;
	struct mih_sig_checkpoint note;
	size_t hinted;

	bad = mih_sig_checkpoint_parse(entry->checkpoint, &note);
	if (bad)
		return mih_err_fail(MIH_EFORMAT, "%s: checkpoint: %s", file,
				    bad);
	if (*log->host && !is_host(log, note.text, host_len(&note)))
		return mih_err_fail(MIH_EUNTRUSTED,
				    "%s: checkpoint: origin is '%.*s', not log "
				    "%s",
				    file, (int)note.origin_len, note.text,
				    log->host);
	if (!is_signed(&note, log, &hinted))
		return not_signed(file, log, hinted);
	if (note.size != entry->size)
		return mih_err_fail(MIH_EUNTRUSTED,
				    "%s: checkpoint: is about %" PRId64
				    " entries, the proof about %" PRId64,
				    file, note.size, entry->size);
	if (CRYPTO_memcmp(note.root, entry->root, sizeof(note.root)))
		return mih_err_fail(MIH_EUNTRUSTED,
				    "%s: checkpoint: is about another root "
				    "hash than the proof",
				    file);
	return 0;
}
