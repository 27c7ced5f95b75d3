noinst_LIBRARIES += libsig.a
libsig_a_CPPFLAGS = $(AM_CPPFLAGS) $(CRYPTO_CFLAGS) $(JANSSON_CFLAGS)
libsig_a_SOURCES = \
	src/sig/bundle.c src/sig/bundle.h src/sig/dsse.c src/sig/key.c \
	src/sig/manifest.c src/sig/manifest.h src/sig/method.c \
	src/sig/sig_internal.h src/sig/sign.c src/sig/statement.c \
	src/sig/trust.c src/sig/trust.h \
	src/sig/text/base64.c src/sig/text/base64.h \
	src/sig/text/json.c src/sig/text/json.h
