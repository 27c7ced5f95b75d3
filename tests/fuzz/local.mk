# libFuzzer targets, their dictionary and their seeds. contrib/fuzz.sh builds
# and runs them.
EXTRA_DIST += tests/fuzz/bundle.dict tests/fuzz/fuzz_bundle.c \
	tests/fuzz/fuzz_certificate.c tests/fuzz/fuzz_checkpoint.c \
	tests/fuzz/fuzz_keyless.c tests/fuzz/fuzz_resource.c \
	tests/fuzz/fuzz_sidecar.c tests/fuzz/fuzz_tensors.c \
	tests/fuzz/seed_bundle.py tests/fuzz/seed_keyless.py \
	tests/fuzz/tensors.dict
