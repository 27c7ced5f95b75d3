#!/bin/sh
# Every digest on the opencl device equals the portable reference.
exec "${top_builddir:-.}/test_device_equal" opencl
