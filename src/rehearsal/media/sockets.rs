//! Where browsers of this machine reach the media: on loopback, and for one that sends from no loopback address also at the
//! machine's own address, which is opened only when such a one comes.
//!
//! Invariant: no datagram from another machine gets further than this.

use std::{
    future::poll_fn,
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
    task::Poll,
};

use tokio::{io::ReadBuf, net::UdpSocket};

/// Each with the address that is offered for it, loopback first.
#[derive(Clone, Debug)]
pub(super) struct Sockets(Vec<(SocketAddr, Arc<UdpSocket>)>);

/// Anywhere beyond this machine's networks (RFC 5737): the address on the way there is the machine's own. Nothing is sent.
const ELSEWHERE: (Ipv4Addr, u16) = (Ipv4Addr::new(203, 0, 113, 1), 9);

impl Sockets {
    /// On loopback.
    pub(super) async fn bind() -> io::Result<Self> {
        let mut sockets = Self(vec![]);
        sockets.open(Ipv4Addr::LOCALHOST.into()).await?;
        Ok(sockets)
    }

    /// These, and one at the machine's own address, if it has one.
    pub(super) async fn widened(mut self) -> io::Result<Self> {
        let way = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).await?;
        way.connect(ELSEWHERE).await?;
        let own = way.local_addr()?.ip();
        if self.addresses().all(|address| address.ip() != own) {
            self.open(own).await?;
        }
        Ok(self)
    }

    /// What to offer.
    pub(super) fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        self.0.iter().map(|(address, _)| *address)
    }

    /// The next datagram of this machine: its length, who sent it, and to which of our addresses.
    pub(super) async fn receive(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr, SocketAddr)> {
        poll_fn(|context| {
            for (address, socket) in &self.0 {
                let mut room = ReadBuf::new(buffer);
                while let Poll::Ready(received) = socket.poll_recv_from(context, &mut room) {
                    let source = received?;
                    // Nobody else reaches loopback, and a browser may send to it from any address of this machine's.
                    if address.ip().is_loopback() || source.ip().is_loopback() || source.ip() == address.ip()
                    {
                        return Poll::Ready(Ok((room.filled().len(), source, *address)));
                    }
                    room.clear();
                }
            }
            Poll::Pending
        })
        .await
    }

    /// Sends from one of our addresses. A full socket buffer loses the datagram, as any network may.
    pub(super) fn send(&self, from: SocketAddr, contents: &[u8], to: SocketAddr) {
        if let Some((_, socket)) = self.0.iter().find(|(address, _)| *address == from) {
            drop(socket.try_send_to(contents, to));
        }
    }

    async fn open(&mut self, ip: IpAddr) -> io::Result<()> {
        let socket = UdpSocket::bind((ip, 0)).await?;
        // Until tokio has seen a socket writable once, it would refuse to send without waiting.
        socket.writable().await?;
        self.0.push((socket.local_addr()?, Arc::new(socket)));
        Ok(())
    }
}
