"""What hostile clients and upstreams cost the gateway. The command is bench/hostile."""
