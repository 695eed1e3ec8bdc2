"""The Lakehouse's statements about connections and external functions, and its answers to them."""
