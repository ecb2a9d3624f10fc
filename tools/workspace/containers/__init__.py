"""Build the images and run the compose file where there is no Docker: ``make containers``.

Each instruction of a Dockerfile is run in a root file system of its own (overlayfs and chroot) on a minimal Debian, and
the services of docker-compose.yml in networks of their own, as the users, with the files, variables, secrets and
restrictions that the compose file gives them. What stands in for a base image is printed; nothing is pushed or kept.
"""
