# Units for systemd. The service is installed where configure was told to, and
# never enabled; the mount unit is a sample, as its name depends on the place.
service_unit = contrib/systemd/mihfs@.service
EXTRA_DIST += contrib/systemd/mihfs@.service.in contrib/systemd/models-llama.mount
CLEANFILES += $(service_unit)
$(service_unit): contrib/systemd/mihfs@.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) contrib/systemd && \
	$(SED) 's|[@]bindir[@]|$(bindir)|g' \
		"$(srcdir)/contrib/systemd/mihfs@.service.in" >"$@.new" && \
	mv "$@.new" "$@"
if HAVE_SYSTEMD_UNIT_DIR
systemdsystemunit_DATA = $(service_unit)
else
noinst_DATA += $(service_unit)
endif
