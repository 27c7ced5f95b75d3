#include "status/documents.h"

const struct mih_status_document mih_status_documents[MIH_STATUS_NDOCUMENTS] = {
	{ "status.json", 0444, mih_status_json },
	{ "metrics", 0444, mih_status_metrics },
};
