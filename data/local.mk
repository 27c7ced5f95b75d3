dist_pkgdata_DATA += data/sigstore/trusted_root.json
EXTRA_DIST += data/sigstore/README.md

# Each has the name under which its shell looks for it.
completions = data/completions/bash/mihfs data/completions/zsh/_mihfs \
	data/completions/fish/mihfs.fish
EXTRA_DIST += $(completions)
if HAVE_BASH_COMPLETION
bashcompletion_DATA = data/completions/bash/mihfs
endif
if HAVE_ZSH_COMPLETION
zshcompletion_DATA = data/completions/zsh/_mihfs
endif
if HAVE_FISH_COMPLETION
fishcompletion_DATA = data/completions/fish/mihfs.fish
endif

# Automake takes its files away again, but not the folders and links that were
# made besides.
uninstall-hook:
	rm -f "$(DESTDIR)$(sbindir)/mount.mihfs"
	for dir in "$(pkgdatadir)" "$(recipesdir)" "$(docdir)"; do \
		test ! -d "$(DESTDIR)$$dir" || \
			rmdir --ignore-fail-on-non-empty "$(DESTDIR)$$dir"; \
	done
