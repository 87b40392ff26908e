"""Parts of the screens, one package per screen."""
