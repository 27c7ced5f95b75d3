# MIHFS_SUMMARY
# -------------
# The dotted feature list that ends configure. The same lines go to
# config-features.txt, so that CI sees when a feature is lost.
AC_DEFUN([MIHFS_SUMMARY], [
AS_IF([test $have_cuda = 1], [mihfs_cuda_text=yes], [mihfs_cuda_text=no])
AS_IF([test $have_opencl = 1], [mihfs_opencl_text=yes], [mihfs_opencl_text=no])
mihfs_yesno() { test "$[]1" = 1 && echo yes || echo no; }
cat > config-features.txt <<EOF
SHA-NI hash path ............ `mihfs_yesno $have_SHANI`
AVX2 hash path .............. `mihfs_yesno $have_AVX2`
AVX-512 hash path ........... `mihfs_yesno $have_AVX512`
CUDA compiler ............... $mihfs_cuda_text
OpenCL headers .............. $mihfs_opencl_text
system call filter .......... `mihfs_yesno $have_libseccomp`
metrics by HTTP ............. `mihfs_yesno $have_microhttpd`
unit tests (cmocka) ......... $have_cmocka
sanitizers .................. $enable_sanitizers
EOF
AS_ECHO(["
$PACKAGE_STRING
compiler .................... $CC
libfuse3 .................... `$PKG_CONFIG --modversion fuse3`
OpenSSL ..................... `$PKG_CONFIG --modversion libcrypto`
jansson ..................... `$PKG_CONFIG --modversion jansson`
xxHash ...................... `$PKG_CONFIG --modversion libxxhash`"])
cat config-features.txt
])
