#!/bin/sh
# Every digest on the cuda device equals the portable reference.
exec "${top_builddir:-.}/test_device_equal" cuda
