# Everything comes from Debian 12 packages; see scripts/install-deps.
find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(OpenSSL 3 REQUIRED)
find_package(simdjson REQUIRED)
find_package(spdlog REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(prometheus-cpp REQUIRED CONFIG COMPONENTS core)
find_package(CLI11 REQUIRED)
find_library(SLUICE_HIREDIS hiredis REQUIRED)
find_library(SLUICE_RE2 re2 REQUIRED)
find_package(SQLite3 3.37 REQUIRED)
find_package(ZLIB 1.2 REQUIRED)

# Asio is compiled once (src/asio_src.cpp), not in every file that includes it.
add_library(sluice_asio STATIC src/asio_src.cpp)
target_compile_definitions(sluice_asio PUBLIC
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_DISABLE_BOOST_ARRAY)
target_link_libraries(sluice_asio PUBLIC Boost::headers OpenSSL::SSL Threads::Threads)
