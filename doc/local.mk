dist_doc_DATA += doc/format.md
