dist_man1_MANS += doc/mihfs.1 doc/mihfs-sign.1
dist_man8_MANS += doc/mount.mihfs.8
dist_man5_MANS += doc/mihfs-bundle.5
dist_doc_DATA += README doc/architecture.md doc/format.md \
	doc/logging.md doc/monitoring.md doc/performance.md doc/sandbox.md \
	doc/threat-model.md

recipesdir = $(docdir)/recipes
dist_recipes_DATA = \
	doc/recipes/README.md doc/recipes/diffusers.md doc/recipes/kserve.md \
	doc/recipes/llama.cpp.md doc/recipes/sglang.md \
	doc/recipes/transformers.md doc/recipes/vllm.md
