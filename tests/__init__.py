"""Tests: unit, contract, integration, simulation, acceptance."""
