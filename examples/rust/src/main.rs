//! A first client in Rust: logs in, shows what it missed, sends, loses its stream, resumes, and is refused once.

use std::{collections::HashMap, env, error::Error, fs, process::ExitCode};

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{
    Request, Status,
    metadata::{Ascii, MetadataValue},
    transport::{Certificate, Channel, ClientTlsConfig},
};
use tonic_types::StatusExt;

mod parley {
    #![allow(clippy::all)]
    include!("../gen/parley/chat/v1/parley.chat.v1.rs");
}

use parley::{
    ClientInfo, Command, ConnectRequest, Content, Cursor, Hello, LogInRequest, SendMessageRequest, Target,
    auth_service_client::AuthServiceClient, chat_service_client::ChatServiceClient, command, content, event, target,
};

type Failure = Box<dyn Error>;

#[tokio::main]
async fn main() -> ExitCode {
    let mut options = HashMap::from([
        ("--address", "localhost:12000".to_string()),
        ("--cert", "server.pem".to_string()),
        ("--user", "yoda".to_string()),
        ("--to", "luke".to_string()),
    ]);
    let given: Vec<String> = env::args().skip(1).collect();
    for pair in given.chunks(2) {
        match (options.get_mut(pair[0].as_str()), pair.get(1)) {
            (Some(option), Some(value)) => *option = value.clone(),
            _ => {
                eprintln!("usage: parley-example [--address HOST:PORT] [--cert FILE] [--user NAME] [--to NAME]");
                return ExitCode::from(2);
            }
        }
    }
    match run(&options["--address"], &options["--cert"], &options["--user"], &options["--to"]).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{}", explained(failure.as_ref()));
            ExitCode::FAILURE
        }
    }
}

async fn run(address: &str, certificate: &str, user: &str, to: &str) -> Result<(), Failure> {
    let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(fs::read(certificate)?));
    let channel = Channel::from_shared(format!("https://{address}"))?.tls_config(tls)?.connect().await?;
    let request = LogInRequest {
        username: user.into(),
        password: env::var("PARLEY_PASSWORD").unwrap_or_default(),
        client: Some(client_info()),
        ..Default::default()
    };
    let login = AuthServiceClient::new(channel.clone()).log_in(request).await?.into_inner();
    let grant = login.grant.ok_or("the server grants nothing")?;
    let mut client = Client {
        chat: ChatServiceClient::new(channel),
        // Tokens travel in metadata, and nowhere else.
        authorization: format!("Bearer {}", grant.token).parse()?,
        cursors: HashMap::new(),
    };
    // The first stream: what was missed, then one message, and its ack.
    client.session(message(1, to, "hello from Rust")).await?;
    // The stream is gone. What happens meanwhile waits in the log; here a message sent by a call of its own.
    let meanwhile = client.authorized(message(2, to, "sent while the stream was down"));
    client.chat.send_message(meanwhile).await?;
    // The second stream begins where the first one ended, and is refused a message.
    client.session(message(3, "nobody at all", "hello?")).await
}

/// One log-in, and how far it has come in each conversation.
struct Client {
    chat: ChatServiceClient<Channel>,
    authorization: MetadataValue<Ascii>,
    cursors: HashMap<String, u64>,
}

impl Client {
    /// Opens a stream from the cursors on, shows what it missed, sends once it has caught up, and ends when the send is
    /// answered.
    async fn session(&mut self, send: SendMessageRequest) -> Result<(), Failure> {
        let (commands, receiver) = mpsc::channel(8);
        let cursors = self.cursors.iter().map(|(id, seq)| Cursor { conversation_id: id.clone(), seq: *seq }).collect();
        let hello = Hello { client: Some(client_info()), cursors, ..Default::default() };
        commands.send(frame(command::Kind::Hello(hello))).await?;
        let request = self.authorized(ReceiverStream::new(receiver));
        let mut stream = self.chat.connect(request).await?.into_inner();
        while let Some(frame_of_events) = stream.message().await? {
            for event in frame_of_events.events {
                match event.kind {
                    Some(event::Kind::Welcome(welcome)) => {
                        println!("connected as {}", welcome.user.unwrap_or_default().username);
                    }
                    Some(event::Kind::EntryAppended(appended)) => {
                        let entry = appended.entry.unwrap_or_default();
                        // A content of a kind that this program does not know has no text.
                        let text = match entry.content.and_then(|content| content.kind) {
                            Some(content::Kind::Text(text)) => text,
                            None => "(something that this program is too old for)".into(),
                        };
                        println!("{}: {text}", entry.sender.unwrap_or_default().username);
                        self.cursors.insert(entry.conversation_id, entry.seq);
                    }
                    Some(event::Kind::Omitted(range)) => {
                        self.cursors.insert(range.conversation_id, range.to_seq);
                    }
                    // ListMessages of HistoryService has what a fillable gap leaves out.
                    Some(event::Kind::Gap(gap)) => {
                        self.cursors.insert(gap.conversation_id, gap.to_seq);
                    }
                    Some(event::Kind::CaughtUp(_)) => {
                        println!("caught up");
                        commands.send(frame(command::Kind::SendMessage(send.clone()))).await?;
                    }
                    Some(event::Kind::Ack(ack)) => {
                        println!("stored as number {}", ack.seq);
                        // Here the ack stands at its entry's place: it is the next one.
                        self.cursors.insert(ack.conversation_id, ack.seq);
                        return Ok(());
                    }
                    Some(event::Kind::Refused(refused)) => {
                        let name = refused.reason().as_str_name().trim_start_matches("REASON_").to_string();
                        println!("refused: {name} ({})", refused.message);
                        return Ok(());
                    }
                    // Events of kinds that this program does not know are ignored.
                    _ => {}
                }
            }
        }
        Err("the server ended the stream".into())
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

fn message(client_message_id: u64, to: &str, text: &str) -> SendMessageRequest {
    SendMessageRequest {
        client_message_id,
        target: Some(Target { target: Some(target::Target::Username(to.into())) }),
        content: Some(Content { kind: Some(content::Kind::Text(text.into())) }),
    }
}

/// Names the reason of a refusal, which is for programs, beside its sentence, which is for people.
fn explained(failure: &(dyn Error + 'static)) -> String {
    let Some(status) = failure.downcast_ref::<Status>() else { return failure.to_string() };
    match status.get_details_error_info() {
        Some(info) => format!("{} ({})", status.message(), info.reason),
        None => status.message().to_string(),
    }
}
