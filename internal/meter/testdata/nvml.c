// libcuda and libnvidia-ml in one, with one GPU, which takes 1234.5 J between any two
// questions, and which CUDA knows as its second.
#include <string.h>

static int open_count;
static int gpu;
static unsigned long long millijoules = 7;

int cuInit(unsigned flags) { return flags != 0; }

int cuDeviceGet(int *device, int ordinal) {
  *device = 40 + ordinal;
  return ordinal == 1 ? 0 : 101;  // CUDA_ERROR_INVALID_DEVICE
}

int cuDeviceGetPCIBusId(char *id, int length, int device) {
  if (length < 13 || device != 41) return 1;  // CUDA_ERROR_INVALID_VALUE
  strcpy(id, "0000:3b:00.0");
  return 0;
}

int nvmlInit_v2(void) { return open_count++ ? 999 : 0; }

int nvmlShutdown(void) { return --open_count ? 999 : 0; }

int nvmlDeviceGetHandleByPciBusId_v2(const char *id, void **device) {
  if (strcmp(id, "0000:3b:00.0")) return 6;  // NVML_ERROR_NOT_FOUND
  *device = &gpu;
  return 0;
}

int nvmlDeviceGetTotalEnergyConsumption(void *device, unsigned long long *energy) {
  if (device != &gpu) return 2;  // NVML_ERROR_INVALID_ARGUMENT
  *energy = millijoules;
  millijoules += 1234500;
  return 0;
}
