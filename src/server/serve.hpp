#pragma once
// The frame around a pipeline: the one place that catches, renders errors and closes the record.

#include <exception>

#include "server/client_sink.hpp"
#include "server/service.hpp"
#include "sluice/core/async.hpp"

namespace sluice::server {

// An exception as an error. Throws std::bad_alloc when there is not even memory for that.
std::unexpected<Error> internal_error(const std::exception& exception);

// Runs the service and turns whatever comes out into a result.
Task<Result<void>> run_service(const Service& service, pipeline::Exchange& exchange);

// Status and retry fields of an answer that is an error.
http::ResponseStart error_start(const Error& error);

// Tells the client of an error: a JSON answer if nothing has been sent yet, else a last event and a cut connection.
Task<void> render_error(const Error& error, pipeline::Exchange& exchange, ClientSink& sink);

// Writes status, outcome and sizes; the record is then complete. Never throws.
void close_record(const Result<void>& result, const ClientSink& sink, observe::Record& record);

}  // namespace sluice::server
