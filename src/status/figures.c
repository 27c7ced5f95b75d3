#include "status/figures.h"

const struct mih_status_figure mih_status_counts[MIH_VERIFY_COUNTS] = {
	[MIH_VERIFY_READS] = { "reads", "read_requests_total",
			       "Read requests of the kernel." },
	[MIH_VERIFY_READ_HITS] = { "read_hits", "read_hits_total",
				   "Read requests answered from the cache of "
				   "verified bytes." },
	[MIH_VERIFY_READ_ERRORS] = { "read_errors", "read_errors_total",
				     "Read requests that ended in an error." },
	[MIH_VERIFY_READ_BACKOFFS] = { "read_backoffs", "read_backoffs_total",
				       "Read requests refused without another "
				       "look, because the bytes were bad a "
				       "moment ago." },
	[MIH_VERIFY_SERVED_BYTES] = { "served_bytes", "served_bytes_total",
				      "Verified bytes given to readers." },
	[MIH_VERIFY_OPENS] = { "opens", "open_requests_total",
			       "Requests to open a file." },
	[MIH_VERIFY_OPEN_ERRORS] = { "open_errors", "open_errors_total",
				     "Requests to open a file that ended in an "
				     "error." },
	[MIH_VERIFY_BAD_FILES] = { "refused_files", "refused_files_total",
				   "Openings that did not find the file as it "
				   "was signed." },
	[MIH_VERIFY_LOADS] = { "loads", "loads_total",
			       "Loads that a reader waited for." },
	[MIH_VERIFY_LOADS_AHEAD] = { "loads_ahead", "loads_ahead_total",
				     "Loads begun before anybody asked." },
	[MIH_VERIFY_DISK_BYTES] = { "disk_bytes", "disk_read_bytes_total",
				    "Bytes read from the files of the model." },
	[MIH_VERIFY_SHARD_BYTES] = { "shard_bytes", "shard_read_bytes_total",
				     "Of these, bytes read to prove signed "
				     "shards." },
	[MIH_VERIFY_GOOD_GROUPS] = { "verified_groups", "verified_groups_total",
				     "Groups of 64 KiB found as they were "
				     "signed, repeats counted." },
	[MIH_VERIFY_GOOD_BYTES] = { "verified_bytes", "verified_bytes_total",
				    "Bytes of these groups." },
	[MIH_VERIFY_BAD_GROUPS] = { "refused_groups", "refused_groups_total",
				    "Groups refused: other bytes than signed, "
				    "or unreadable." },
	[MIH_VERIFY_UNREAD_GROUPS] = { "unreadable_groups",
				       "unreadable_groups_total",
				       "Refused groups that could not be read "
				       "from the file of the model." },
	[MIH_VERIFY_HEALED_GROUPS] = { "healed_groups", "healed_groups_total",
				       "Groups refused before and found as "
				       "signed again." },
	[MIH_VERIFY_EVICTED] = { "evicted_extents", "evicted_extents_total",
				 "Extents of 1 MiB worth keeping, dropped for "
				 "want of room in the cache." },
	[MIH_VERIFY_STAGED] = { "staged_files", "staged_files_total",
				"Files verified whole into sealed memory." },
	[MIH_VERIFY_UNSTAGED] = { "unstaged_files", "unstaged_files_total",
				  "Openings that should have been staged, but "
				  "for which there was no room." },
	[MIH_VERIFY_PAGES_SIDECAR] = { "sidecar_pages", "sidecar_pages_total",
				       "Pages of digests proven from the "
				       "sidecar." },
	[MIH_VERIFY_PAGES_DATA] = { "computed_pages", "computed_pages_total",
				    "Pages of digests computed from the data, "
				    "for want of a good sidecar." },
	[MIH_VERIFY_PAGES_BAD] = { "refused_pages", "refused_pages_total",
				   "Pages of digests that neither the sidecar "
				   "nor the data could prove." },
	[MIH_VERIFY_DEVICE_ERRORS] = { "device_errors", "device_errors_total",
				       "Batches the device failed at; the CPU "
				       "did them." },
	[MIH_VERIFY_DEVICE_RECHECKS] = { "device_rechecks",
					 "device_rechecks_total",
					 "Mismatches seen by a device and "
					 "checked again by the CPU." },
	[MIH_VERIFY_DEVICE_WRONG] = { "device_wrong", "device_wrong_total",
				      "Such mismatches that were none: the "
				      "device computed a wrong digest." },
};

const struct mih_status_figure mih_status_gauges[MIH_VERIFY_GAUGES] = {
	[MIH_VERIFY_CACHE_BYTES] = { "cache_bytes", "cache_bytes",
				     "Verified bytes in memory, loads in "
				     "flight included." },
	[MIH_VERIFY_CACHE_LIMIT] = { "cache_limit_bytes", "cache_limit_bytes",
				     "Bound of the cache of verified bytes." },
	[MIH_VERIFY_LAYER_BYTES] = { "digest_bytes", "digest_bytes",
				     "Proven digests in memory." },
	[MIH_VERIFY_STAGE_BYTES] = { "stage_bytes", "stage_bytes",
				     "Verified files in sealed memory, those "
				     "being filled included." },
	[MIH_VERIFY_STAGE_LIMIT] = { "stage_limit_bytes", "stage_limit_bytes",
				     "Bound of the staged files; 0: none is "
				     "staged." },
	[MIH_VERIFY_OPEN_FILES] = { "open_files", "open_files",
				    "Files of the model held open." },
	[MIH_VERIFY_INFLIGHT] = { "in_flight", "in_flight",
				  "Loads, opens and answers that have not "
				  "ended." },
	[MIH_VERIFY_QUEUE_URGENT] = { "queued", "queued",
				      "Pieces of work readers wait for, not "
				      "begun yet." },
	[MIH_VERIFY_QUEUE_AHEAD] = { "queued_ahead", "queued_ahead",
				     "Pieces of work for bytes nobody has "
				     "asked for yet." },
	[MIH_VERIFY_QUEUE_WHOLE] = { "queued_whole", "queued_whole",
				     "Passes over whole files that wait for a "
				     "thread." },
	[MIH_VERIFY_DELAYED] = { "delayed", "delayed_answers",
				 "Refusals that are answered late, so that "
				 "nobody spins on them." },
	[MIH_VERIFY_VERDICTS] = { "bad_groups", "bad_groups",
				  "Groups known to be bad now." },
};

const struct mih_status_figure mih_status_spans[MIH_VERIFY_SPANS] = {
	[MIH_VERIFY_READ_TIME] = { "read", "read_duration_seconds",
				   "Time of a read request until its answer." },
	[MIH_VERIFY_DISK_TIME] = { "disk", "disk_duration_seconds",
				   "Time to read one load from the files of "
				   "the model." },
	[MIH_VERIFY_HASH_TIME] = { "hash", "hash_duration_seconds",
				   "Time to hash one load, waiting for the "
				   "device included." },
};
