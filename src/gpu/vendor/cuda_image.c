/* The fat binary of kernels/all.cu, as data. */
#include "gpu/device_internal.h"

__asm__(".section .rodata\n"
	".balign 64\n"
	".globl mih_gpu_cuda_image\n"
	"mih_gpu_cuda_image:\n"
	".incbin \"src/gpu/kernels/all.fatbin\"\n"
	".byte 0\n"
	".section .note.GNU-stack,\"\",@progbits\n"
	".text\n");
