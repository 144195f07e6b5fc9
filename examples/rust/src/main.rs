//! A first client in Rust: it logs in, shows the backlog, sends a message, loses its stream, resumes, and is refused once.

use std::{collections::HashMap, env, error::Error, fs, io, process::ExitCode};

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{
    Request, Status,
    metadata::{Ascii, MetadataValue},
    transport::{Certificate, Channel, ClientTlsConfig},
};
use tonic_types::StatusExt;

mod reader;
mod transcript;

mod parley {
    #![allow(clippy::all)]
    include!("../gen/parley/chat/v1/parley.chat.v1.rs");
}

use parley::{
    BroadcastRequest, ClientInfo, Command, ConnectRequest, Content, Cursor, Hello, LogInRequest, SendMessageRequest,
    Target, auth_service_client::AuthServiceClient, chat_service_client::ChatServiceClient, command, content, event,
    target,
};
use reader::{Reader, Screen};

type Failure = Box<dyn Error>;

#[tokio::main]
async fn main() -> ExitCode {
    let mut options = HashMap::from([
        ("--address", "localhost:12000".to_string()),
        ("--cert", "server.pem".to_string()),
        ("--user", "yoda".to_string()),
        ("--to", "luke".to_string()),
        ("--transcript", String::new()),
    ]);
    let mut given: Vec<String> = env::args().skip(1).collect();
    let talk = given.iter().any(|word| word == "--talk");
    given.retain(|word| word != "--talk");
    for pair in given.chunks(2) {
        match (options.get_mut(pair[0].as_str()), pair.get(1)) {
            (Some(option), Some(value)) => *option = value.clone(),
            _ => {
                eprintln!("usage: parley-example [--address HOST:PORT] [--cert FILE] [--user NAME] [--to NAME]");
                eprintln!("       --talk sends each line of the input, \"@luke hello\" to luke, and shows events");
                eprintln!("       parley-example --transcript FILE of ../../transcripts: prints the outcome");
                return ExitCode::from(2);
            }
        }
    }
    let outcome = match options["--transcript"].as_str() {
        "" => run(&options["--address"], &options["--cert"], &options["--user"], &options["--to"], talk).await,
        file => transcript::replay(file),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{}", explained(failure.as_ref()));
            ExitCode::FAILURE
        }
    }
}

async fn run(address: &str, certificate: &str, user: &str, to: &str, talk: bool) -> Result<(), Failure> {
    let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(fs::read(certificate)?));
    let channel = Channel::from_shared(format!("https://{address}"))?.tls_config(tls)?.connect().await?;
    let request = LogInRequest {
        username: user.into(),
        password: env::var("PARLEY_PASSWORD").unwrap_or_default(),
        client: Some(client_info()),
        ..Default::default()
    };
    let login = AuthServiceClient::new(channel.clone()).log_in(request).await?.into_inner();
    let grant = login.grant.ok_or("the server's answer has no grant")?;
    let mut client = Client {
        chat: ChatServiceClient::new(channel),
        // The token is sent in the metadata of each call.
        authorization: format!("Bearer {}", grant.token).parse()?,
        reader: Reader::new(Terminal),
    };
    if talk {
        return client.talk().await;
    }
    // The first stream: the backlog, one message, and its ack.
    client.session(message(1, to, "hello from Rust")).await?;
    // Without a stream, new entries stay in the log. This message is sent by a unary call.
    let meanwhile = client.authorized(message(2, to, "sent while the stream was down"));
    client.chat.send_message(meanwhile).await?;
    // The second stream resumes from the cursors, and its message is refused.
    client.session(message(3, "nobody at all", "hello?")).await
}

struct Terminal;

impl Screen for Terminal {
    fn show(&mut self, line: String) {
        println!("{line}");
    }
}

/// One session, and its cursors.
struct Client {
    chat: ChatServiceClient<Channel>,
    authorization: MetadataValue<Ascii>,
    reader: Reader<Terminal>,
}

impl Client {
    /// Opens a stream from the cursors, shows the backlog, and sends a message when it has caught up. Returns when the
    /// message is answered.
    async fn session(&mut self, send: SendMessageRequest) -> Result<(), Failure> {
        let (commands, receiver) = mpsc::channel(8);
        let cursors = &self.reader.cursors;
        let cursors = cursors.iter().map(|(id, seq)| Cursor { conversation_id: id.clone(), seq: *seq }).collect();
        let hello = Hello { client: Some(client_info()), cursors, ..Default::default() };
        commands.send(frame(command::Kind::Hello(hello))).await?;
        let request = self.authorized(ReceiverStream::new(receiver));
        let mut stream = self.chat.connect(request).await?.into_inner();
        while let Some(frame_of_events) = stream.message().await? {
            for event in frame_of_events.events {
                let (is_live, is_answer) = match event.kind {
                    Some(event::Kind::CaughtUp(_)) => (true, false),
                    Some(event::Kind::Ack(_) | event::Kind::Refused(_)) => (false, true),
                    _ => (false, false),
                };
                self.reader.take(event);
                if is_live {
                    commands.send(frame(command::Kind::SendMessage(send.clone()))).await?;
                }
                if is_answer {
                    return Ok(());
                }
            }
        }
        Err("the server ended the stream".into())
    }

    /// Keeps a stream open and shows events until the input ends. Sends each input line: "@luke hello" to luke, and
    /// "hello" to all users.
    async fn talk(&mut self) -> Result<(), Failure> {
        let (commands, receiver) = mpsc::channel(8);
        commands.send(frame(command::Kind::Hello(Hello::default()))).await?;
        // Reading the input blocks, so it has a thread of its own. When the input ends, the stream is half-closed; the
        // server answers the remaining commands and ends it.
        std::thread::spawn(move || {
            for (id, line) in (1..).zip(io::stdin().lines().map_while(Result::ok)) {
                if commands.blocking_send(frame(command_of(id, &line))).is_err() {
                    return;
                }
            }
        });
        let request = self.authorized(ReceiverStream::new(receiver));
        let mut stream = self.chat.connect(request).await?.into_inner();
        while let Some(frame_of_events) = stream.message().await? {
            frame_of_events.events.into_iter().for_each(|event| self.reader.take(event));
        }
        Ok(())
    }

    fn authorized<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.metadata_mut().insert("authorization", self.authorization.clone());
        request
    }
}

fn client_info() -> ClientInfo {
    ClientInfo { name: "parley example in Rust".into(), ..Default::default() }
}

fn frame(kind: command::Kind) -> ConnectRequest {
    ConnectRequest { commands: vec![Command { kind: Some(kind) }] }
}

fn command_of(id: u64, line: &str) -> command::Kind {
    match line.strip_prefix('@').and_then(|rest| rest.split_once(' ')) {
        Some((to, words)) => command::Kind::SendMessage(message(id, to, words)),
        None => command::Kind::Broadcast(BroadcastRequest { client_message_id: id, content: Some(text(line)) }),
    }
}

fn text(text: &str) -> Content {
    Content { kind: Some(content::Kind::Text(text.into())) }
}

fn message(client_message_id: u64, to: &str, words: &str) -> SendMessageRequest {
    SendMessageRequest {
        client_message_id,
        target: Some(Target { target: Some(target::Target::Username(to.into())) }),
        content: Some(text(words)),
    }
}

/// Adds the reason of a refusal to its message. Programs use the reason, and people read the message.
fn explained(failure: &(dyn Error + 'static)) -> String {
    let Some(status) = failure.downcast_ref::<Status>() else { return failure.to_string() };
    match status.get_details_error_info() {
        Some(info) => format!("{} ({})", status.message(), info.reason),
        None => status.message().to_string(),
    }
}
