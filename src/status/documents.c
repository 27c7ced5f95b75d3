#include "status/documents.h"

/* A line about a failure tells the digest of what was found instead: bytes
 * that nobody may read who cannot read the model itself. */
const struct mih_status_document mih_status_documents[MIH_STATUS_NDOCUMENTS] = {
	{ "status.json", 0444, mih_status_json },
	{ "metrics", 0444, mih_status_metrics },
	{ "manifest", 0444, mih_status_manifest },
	{ "failures", 0400, mih_status_failures },
};
