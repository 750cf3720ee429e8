#pragma once
// A core file, a debugger and /proc/PID/mem show every key and every prompt that this process holds.

namespace sluice::server {

// False: no core is written, neither to a file nor to a handler's pipe, and only root may look into the process.
// True: what was allowed when the process began. Main thread only.
void allow_core_dumps(bool allowed);

}  // namespace sluice::server
