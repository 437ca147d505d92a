from services.monitoring.app import service

service.main()
