"""Side by side: direct, nginx and sluice under the same load. The command is bench/compare."""
