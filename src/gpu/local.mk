noinst_LIBRARIES += libgpu.a
libgpu_a_SOURCES = \
	src/gpu/cpu.c \
	src/gpu/device.h src/gpu/device_internal.h \
	src/gpu/registry.c \
	src/gpu/staging.c src/gpu/staging_internal.h
