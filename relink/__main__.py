from relink.cli import main

main()
