# A stand-in for testcontainers/ryuk: says when it is there, acknowledges filters, and asks the engine by the socket that it is given.
FROM rogate/base:bookworm
COPY reaper.pl /reaper.pl
EXPOSE 8080
CMD ["perl", "/reaper.pl"]
