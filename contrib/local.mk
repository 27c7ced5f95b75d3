# Scripts for people and for continuous integration; nothing is installed.
EXTRA_DIST += \
	.shellcheckrc .clang-format .ci/run \
	contrib/ci.sh contrib/demo.sh contrib/deps.sh contrib/test.sh \
	contrib/fuzz.sh contrib/interop.sh contrib/interop.py contrib/libfuse.sh \
	contrib/interop_mutants.py contrib/lint_scripts.sh \
	contrib/monitoring/README.md contrib/monitoring/alerts.yml \
	contrib/monitoring/dashboard.json \
	contrib/oms-conformance contrib/real_model.sh contrib/real_model.py \
	contrib/debian/build.sh contrib/debian/changelog contrib/debian/control \
	contrib/debian/copyright contrib/debian/mihfs.lintian-overrides \
	contrib/debian/rules contrib/debian/try.sh contrib/chroot.sh \
	contrib/debian/source/format \
	.dockerignore contrib/container/Dockerfile \
	contrib/container/build.sh contrib/container/check.sh \
	contrib/recipes_check.sh contrib/recipes_check.py
