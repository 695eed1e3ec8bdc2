"""Effective rights: what users and roles may do, by which path, and what limits it.

`RightsIndex` folds the grants of a model once and shares them; `EffectiveRights` is what one user or role holds;
`questions` asks about one right; `limits`, `settings` and `row_policies` are what holds besides rights.
"""
