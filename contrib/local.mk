# Scripts for people and for continuous integration; nothing is installed.
EXTRA_DIST += \
	.shellcheckrc .clang-format .ci/run \
	contrib/ci.sh contrib/demo.sh contrib/deps.sh contrib/test.sh \
	contrib/interop.sh contrib/interop.py contrib/lint_scripts.sh \
	contrib/oms-conformance contrib/real_model.sh contrib/real_model.py
