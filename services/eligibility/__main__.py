from services.eligibility.app import service

service.main()
