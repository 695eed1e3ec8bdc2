"""The core of Housekeys: everything it does, with no screen anywhere in it."""
