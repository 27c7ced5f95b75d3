noinst_LIBRARIES += libsig.a
libsig_a_CPPFLAGS = $(AM_CPPFLAGS) $(CRYPTO_CFLAGS) $(JANSSON_CFLAGS)
libsig_a_SOURCES = \
	src/sig/bundle.h src/sig/manifest.h src/sig/trust.h
