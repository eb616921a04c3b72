/* Memory of the host. */
#pragma once

namespace shim {

/* Has libtorch keep large blocks of host memory that it frees. */
void keep_large_blocks();

} // namespace shim
