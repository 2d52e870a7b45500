extension World: NameSource {}
