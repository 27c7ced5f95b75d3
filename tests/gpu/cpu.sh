#!/bin/sh
# Every digest on the cpu device equals the portable reference.
exec "${top_builddir:-.}/test_device_equal" cpu
