dist_man1_MANS += doc/mihfs.1 doc/mihfs-sign.1
dist_man5_MANS += doc/mihfs-bundle.5
dist_doc_DATA += README doc/architecture.md doc/format.md \
	doc/logging.md doc/performance.md doc/sandbox.md doc/threat-model.md
