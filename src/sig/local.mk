noinst_LIBRARIES += libsig.a
libsig_a_CPPFLAGS = $(AM_CPPFLAGS) $(CRYPTO_CFLAGS) $(JANSSON_CFLAGS)
libsig_a_SOURCES = \
	src/sig/bundle.c src/sig/bundle.h src/sig/dsse.c src/sig/dsse.h \
	src/sig/key.c \
	src/sig/manifest.c src/sig/manifest.h src/sig/method.c \
	src/sig/sig_internal.h src/sig/sign.c \
	src/sig/trust.c src/sig/trust.h \
	src/sig/keyless/body.c src/sig/keyless/checkpoint.c \
	src/sig/keyless/fulcio.c src/sig/keyless/identity.c \
	src/sig/keyless/inclusion.c src/sig/keyless/keyless.c \
	src/sig/keyless/keyless.h src/sig/keyless/proof.c \
	src/sig/keyless/sct.c src/sig/keyless/set.c \
	src/sig/keyless/timestamp.c src/sig/keyless/trusted_root.c \
	src/sig/freshness/freshness.c src/sig/freshness/freshness.h \
	src/sig/legacy/legacy.c src/sig/legacy/legacy.h \
	src/sig/statement/plain.c src/sig/statement/serialization.c \
	src/sig/statement/statement.c \
	src/sig/text/base64.c src/sig/text/base64.h \
	src/sig/text/json.c src/sig/text/json.h \
	src/sig/text/proto.c src/sig/text/proto.h \
	src/sig/x509/certificate.c src/sig/x509/names.c \
	src/sig/x509/path.c src/sig/x509/read.c src/sig/x509/x509.h
