"""What a portrait of one enterprise shows beside its row and its explanation: facts by year, land on the map, standing."""

from engine.portrait.facts import facts_by_year
from engine.portrait.land import parcels
from engine.portrait.standing import standing

__all__ = ["facts_by_year", "parcels", "standing"]
