#pragma once
// The coroutine type of the data plane. Every task runs on the one thread of its worker's io_context, so nothing it
// touches needs a lock; the executor is the concrete one, which spares a virtual call per operation.

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

namespace sluice {

namespace net = boost::asio;
using Executor = net::io_context::executor_type;
template <class T>
using Task = net::awaitable<T, Executor>;

}  // namespace sluice
