EXTRA_DIST += \
	contrib/kubernetes/README.md contrib/kubernetes/check.sh \
	contrib/kubernetes/render.sh contrib/kubernetes/validate.py \
	contrib/kubernetes/base contrib/kubernetes/overlays \
	contrib/kubernetes/plain contrib/kubernetes/kserve \
	contrib/kubernetes/model-validation-operator
