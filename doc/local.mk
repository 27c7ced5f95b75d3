dist_man1_MANS += doc/mihfs.1
dist_doc_DATA += README doc/architecture.md doc/format.md \
	doc/performance.md doc/threat-model.md
