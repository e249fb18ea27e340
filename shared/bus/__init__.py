"""The bus: packs of CloudEvents from service to service, over RabbitMQ or inside one process."""
