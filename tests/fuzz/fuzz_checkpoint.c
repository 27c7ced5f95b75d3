/*
 * libFuzzer target: any text as the checkpoint of a log. contrib/fuzz.sh runs
 * it; seed_keyless.py cuts seeds from the fixtures.
 */
#include "sig/keyless/keyless.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct mih_sig_checkpoint note;

	if (!text)
		abort();
	memcpy(text, data, size);
	text[size] = '\0';
	if (mih_sig_checkpoint_parse(text, &note)) {
		free(text);
		return 0;
	}
	if (note.signed_len + 1 != (size_t)(note.signatures - text) ||
	    note.origin_len >= note.signed_len || note.size < 0)
		abort();
	free(text);
	return 0;
}
