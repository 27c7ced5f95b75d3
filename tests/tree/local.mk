# tests of tree
tree_tests = test_fold test_tree_proof test_sidecar test_sidecar_write
check_PROGRAMS += $(tree_tests)
TESTS += $(tree_tests)
tree_test_ldadd = libtree.a $(HASH_LIBS) libutil.a $(CRYPTO_LIBS) \
	$(XXHASH_LIBS) $(CMOCKA_LIBS)

test_fold_SOURCES = tests/tree/test_fold.c tests/tree/model.h
test_fold_LDADD = $(tree_test_ldadd)
test_tree_proof_SOURCES = tests/tree/test_proof.c tests/tree/model.h
test_tree_proof_LDADD = $(tree_test_ldadd)
test_sidecar_SOURCES = tests/tree/test_sidecar.c tests/tree/model.h
test_sidecar_LDADD = $(tree_test_ldadd)
test_sidecar_write_SOURCES = tests/tree/test_sidecar_write.c tests/tree/model.h
test_sidecar_write_LDADD = $(tree_test_ldadd)

check_PROGRAMS += make_sidecar
make_sidecar_SOURCES = tests/tree/make_sidecar.c
make_sidecar_LDADD = $(tree_test_ldadd)
dist_check_SCRIPTS += tests/tree/reference.sh
TESTS += tests/tree/reference.sh
EXTRA_DIST += tests/tree/reference.py
EXTRA_DIST += tests/fuzz/fuzz_sidecar.c
